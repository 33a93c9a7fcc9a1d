import type { Duplex } from 'node:stream';
import { closedSocketError } from './closed-socket-errors.ts';

/**
 * After the peer's end a write to `socket` is the fault of a peer that hung up: `EPIPE`, as with
 * `net.Socket`, and not the program's own `ERR_STREAM_WRITE_AFTER_END`.
 */
export function refuseWritesAfterEnd(socket: Duplex): void {
  socket.once('end', () => {
    const write = socket.write;
    socket.write = (...args: unknown[]): boolean => {
      if (!socket.writableEnded) return Reflect.apply(write, socket, args);
      const error = closedSocketError('EPIPE');
      const callback = args.find((argument) => typeof argument === 'function');
      if (callback !== undefined) process.nextTick(callback, error);
      socket.destroy(error);
      return false;
    };
  });
}
