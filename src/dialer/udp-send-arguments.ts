import { OvpnUsageError } from '../core/errors.ts';

export type SendCallback = (error: Error | null, bytes: number) => void;

/** What a datagram may be given as. A list is joined. */
export type DatagramContent =
  | string
  | NodeJS.ArrayBufferView
  | readonly (string | NodeJS.ArrayBufferView)[];

/** What may follow the content: offset, length, port, address, callback. */
export type SendArgument = number | string | SendCallback | null | undefined;

/** One call of `send`, whatever its form was. */
export interface SendArguments {
  readonly payload: Buffer;
  /** Undefined on a connected socket. */
  readonly port: number | undefined;
  readonly address: string | undefined;
  readonly callback: SendCallback | undefined;
}

/**
 * The call forms of `dgram.Socket.send`: `(message, [offset, length,] [port,] [address,] [callback])`.
 * They are told apart by place, as Node does it; a connected socket takes no port.
 *
 * @throws OvpnUsageError
 */
export function sendArguments(
  content: unknown,
  rest: readonly unknown[],
  { connected }: { connected: boolean },
): SendArguments {
  const callback = rest.find((argument) => typeof argument === 'function');
  const given = rest.slice(0, callback === undefined ? rest.length : rest.indexOf(callback));
  const sliced = connected ? typeof given[1] === 'number' : isPresent(given[2] ?? given[3]);
  const [port, address] = given.slice(sliced ? 2 : 0);
  if (connected && (isPresent(port) || isPresent(address))) {
    throw new OvpnUsageError('already connected: expected no port and address', 'dialer');
  }
  if (isPresent(address) && typeof address !== 'string') {
    throw new OvpnUsageError(`expected an address as text, got ${typeof address}`, 'dialer');
  }
  const whole = toBuffer(content);
  return {
    payload: sliced ? slice(whole, given[0], given[1]) : whole,
    port: connected ? undefined : toPort(port),
    address: typeof address === 'string' && address !== '' ? address : undefined,
    callback: callback as SendCallback | undefined,
  };
}

function isPresent(argument: unknown): boolean {
  return argument !== undefined && argument !== null && argument !== '';
}

/** A number, or its digits. */
function toPort(given: unknown): number {
  const port = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= MAX_PORT) {
    return port;
  }
  throw new OvpnUsageError(`expected a port from 1 to ${MAX_PORT}, got ${given}`, 'dialer');
}

function slice(whole: Buffer, offset: unknown, length: unknown): Buffer {
  const start = Number(offset);
  const end = start + Number(length);
  if (!(start >= 0 && end >= start && end <= whole.length)) {
    throw new OvpnUsageError(
      `expected offset and length inside ${whole.length} bytes, got ${offset} and ${length}`,
      'dialer',
    );
  }
  return whole.subarray(start, end);
}

function toBuffer(content: unknown): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  if (ArrayBuffer.isView(content)) {
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }
  if (Array.isArray(content)) return Buffer.concat(content.map(toBuffer));
  throw new OvpnUsageError('expected a string, bytes or a list of them to send', 'dialer');
}

const MAX_PORT = 0xffff;
