import { asBuffer, type DatagramPipe } from './datagram-link.ts';
import type { Scrambler } from './scrambler.ts';

/** A {@link DatagramPipe} whose packets are disguised on their way through another one. */
export function scramblePipe(pipe: DatagramPipe, scrambler: Scrambler): DatagramPipe {
  const scrambling: DatagramPipe = {
    send(packet, sent) {
      const scrambled = Buffer.from(packet);
      scrambler.scramble(scrambled);
      if (sent === undefined) pipe.send(scrambled);
      else pipe.send(scrambled, sent);
    },
    on(event: string, listener: (value: never) => void) {
      listen(pipe, scrambler, event, listener);
      return scrambling;
    },
    close: () => pipe.close(),
    ref: () => pipe.ref?.(),
    unref: () => pipe.unref?.(),
  };
  // A pipe without a queue must not seem to have one: it would never call back.
  if (pipe.getSendQueueSize === undefined) return scrambling;
  return Object.assign(scrambling, { getSendQueueSize: () => pipe.getSendQueueSize?.() ?? 0 });
}

function listen(
  pipe: DatagramPipe,
  scrambler: Scrambler,
  event: string,
  listener: (value: never) => void,
): void {
  if (event !== 'message') {
    pipe.on(event as 'error', listener as (error: Error) => void);
    return;
  }
  pipe.on('message', (packet) => {
    const bytes = asBuffer(packet);
    scrambler.unscramble(bytes);
    (listener as (packet: Uint8Array) => void)(bytes);
  });
}
