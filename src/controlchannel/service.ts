import type { Channel } from '../core/channel.ts';
import { DropCounter, type Millis } from '../core/machine.ts';
import { BATCH, type Service } from '../core/pump.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { TlsChunk } from '../model/tls-chunk.ts';
import type { ControlChannel } from './control-channel.ts';

export interface ControlChannelPorts {
  readonly reliableToControl: Channel<ControlPacket>;
  readonly controlToTls: Channel<TlsChunk>;
  readonly tlsToControl: Channel<TlsChunk>;
  readonly controlToReliable: Channel<ControlPacket>;
  /** Key ids for which `tlsstate` begins a TLS session. */
  readonly softReset: Channel<number>;
  /** Key ids whose negotiation `tlsstate` has completed. */
  readonly keyEstablished: Channel<number>;
  /** Why the data channel wants new keys. */
  readonly rekeyDue: Channel<string>;
}

/** Carries TLS bytes and soft resets between reliable delivery and the TLS sessions. */
export class ControlChannelService implements Service {
  readonly name = 'controlchannel';
  readonly drops: DropCounter = new DropCounter();
  readonly #machine: ControlChannel;
  readonly #ports: ControlChannelPorts;

  constructor(machine: ControlChannel, ports: ControlChannelPorts) {
    this.#machine = machine;
    this.#ports = ports;
  }

  /** reliableToControl → machine → controlToTls, softReset */
  moveUpWorker(): boolean {
    const { reliableToControl, controlToTls, softReset } = this.#ports;
    let moved = 0;
    while (moved < BATCH && !controlToTls.full && !softReset.full) {
      const packet = reliableToControl.take();
      if (packet === undefined) break;
      this.drops.count(this.#machine.fromBelow(packet));
      const keyId = this.#machine.takeSoftReset();
      if (keyId !== undefined) softReset.push(keyId);
      const chunk = this.#machine.takeUp();
      if (chunk !== undefined) controlToTls.push(chunk);
      moved += 1;
    }
    return moved > 0;
  }

  /** keyEstablished, rekeyDue, tlsToControl → machine → controlToReliable */
  moveDownWorker(now: Millis): boolean {
    const { keyEstablished, rekeyDue, tlsToControl, controlToReliable } = this.#ports;
    let moved = 0;
    for (let keyId = keyEstablished.take(); keyId !== undefined; keyId = keyEstablished.take()) {
      this.#machine.keyEstablished(keyId, now);
      moved += 1;
    }
    while (rekeyDue.take() !== undefined) {
      this.#machine.startSoftReset(now);
      moved += 1;
    }
    while (moved < BATCH && !controlToReliable.full) {
      const reset = this.#machine.takeDown();
      if (reset !== undefined) {
        controlToReliable.push(reset);
      } else {
        const chunk = tlsToControl.take();
        if (chunk === undefined) break;
        controlToReliable.push(this.#machine.fromAbove(chunk));
      }
      moved += 1;
    }
    return moved > 0;
  }

  nextTimeout(): Millis {
    return this.#machine.nextTimeout();
  }

  onTimeout(now: Millis): void {
    this.#machine.onTimeout(now);
  }
}
