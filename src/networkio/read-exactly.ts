import type { Socket } from 'node:net';

/**
 * The next `length` bytes, at least one, of a socket that nobody else reads; what follows them stays
 * in it. undefined when it ends or breaks before.
 */
export function readExactly(socket: Socket, length: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const settle = (bytes: Buffer | undefined): void => {
      socket.off('readable', look);
      socket.off('end', gone);
      socket.off('close', gone);
      resolve(bytes);
    };
    const gone = (): void => settle(undefined);
    const look = (): void => {
      const bytes: unknown = socket.read(length);
      // At its end a stream gives what is left, however much was asked for.
      if (Buffer.isBuffer(bytes)) settle(bytes.length === length ? bytes : undefined);
      else if (socket.readableEnded || socket.destroyed) gone();
    };
    // One listener for the whole wait: each new one is told of bytes that were too few before.
    socket.on('readable', look);
    socket.on('end', gone);
    socket.on('close', gone);
    look();
  });
}
