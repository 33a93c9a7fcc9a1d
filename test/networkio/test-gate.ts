import { Drop, type Millis } from '../../src/core/machine.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { GateVerdict, PeerGate } from '../../src/networkio/peer-gate.ts';

/**
 * A gate for tests: `hello X` is answered with `who? X`, `me X` is accepted as session X, and
 * `X …` belongs to session X. After `hello X` it wants to see X again; that, or `nothing`, stands in
 * `remembered`, once for each packet.
 */
export class TestGate implements PeerGate {
  readonly asked: string[] = [];
  readonly remembered: string[] = [];

  belongsTo(packet: Buffer, ids: SessionIds): boolean {
    return packet.toString().split(' ')[0] === ids.remote.toString();
  }

  onPacket(packet: Buffer, remote: string, _now: Millis, memory?: Buffer): GateVerdict {
    this.asked.push(remote);
    this.remembered.push(memory?.toString() ?? 'nothing');
    const [verb, name = ''] = packet.toString().split(' ');
    if (verb === 'hello') {
      return { kind: 'reply', packet: Buffer.from(`who? ${name}`), memory: Buffer.from(name) };
    }
    if (verb !== 'me') return { kind: 'drop', drop: Drop.MALFORMED };
    const ids = { local: Buffer.from('server'), remote: Buffer.from(name) };
    return { kind: 'accept', ids, memory: Buffer.from(`key of ${name}`) };
  }
}
