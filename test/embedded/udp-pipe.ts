import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { DatagramPipe } from '../../src/networkio/datagram-link.ts';

/**
 * A user's datagram transport with nothing but what it must have. It can be cut: from then on
 * nothing gets through, and nobody is told.
 */
export class CuttablePipe implements DatagramPipe {
  readonly #socket: Socket;
  #isCut = false;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(packet: Uint8Array): void {
    if (!this.#isCut) this.#socket.send(packet);
  }

  on(event: 'message', listener: (packet: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  on(...[event, listener]: PipeEvent): this {
    if (event === 'message') this.#socket.on(event, (packet) => this.#isCut || listener(packet));
    else if (event === 'error') this.#socket.on(event, listener);
    else this.#socket.on(event, listener);
    return this;
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  cut(): void {
    this.#isCut = true;
  }
}

type PipeEvent =
  | [event: 'message', listener: (packet: Uint8Array) => void]
  | [event: 'error', listener: (error: Error) => void]
  | [event: 'close', listener: () => void];

export async function openPipe(host: string, port: number): Promise<CuttablePipe> {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  return new CuttablePipe(socket);
}
