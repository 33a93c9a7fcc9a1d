import { OvpnUsageError } from '../core/errors.ts';

export type SendCallback = (error: Error | null, bytes: number) => void;

/** What a datagram may be given as. A list is joined. */
export type DatagramContent =
  | string
  | NodeJS.ArrayBufferView
  | readonly (string | NodeJS.ArrayBufferView)[];

/** What may follow the content: offset, length, port, address, callback. */
export type SendArgument = number | string | SendCallback | undefined;

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
 * A connected socket takes no port. @throws OvpnUsageError
 */
export function sendArguments(
  content: unknown,
  rest: readonly unknown[],
  { connected }: { connected: boolean },
): SendArguments {
  const callback = rest.findLast((argument) => typeof argument === 'function');
  const address = rest.find((argument) => typeof argument === 'string');
  const numbers = rest.filter((argument) => typeof argument === 'number');
  const sliced = numbers.length >= 2;
  const port = connected ? undefined : numbers[sliced ? 2 : 0];
  if (!connected && !(Number.isInteger(port) && (port ?? 0) > 0 && (port ?? 0) <= MAX_PORT)) {
    throw new OvpnUsageError(`expected a port from 1 to ${MAX_PORT}, got ${port}`, 'dialer');
  }
  if (connected && (address !== undefined || numbers.length % 2 === 1)) {
    throw new OvpnUsageError('already connected: expected no port and address', 'dialer');
  }
  const whole = toBuffer(content);
  const payload = sliced ? slice(whole, numbers[0] ?? 0, numbers[1] ?? 0) : whole;
  return { payload, port, address, callback: callback as SendCallback | undefined };
}

function slice(whole: Buffer, offset: number, length: number): Buffer {
  if (offset < 0 || length < 0 || offset + length > whole.length) {
    throw new OvpnUsageError(
      `expected offset and length inside ${whole.length} bytes, got ${offset} and ${length}`,
      'dialer',
    );
  }
  return whole.subarray(offset, offset + length);
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
