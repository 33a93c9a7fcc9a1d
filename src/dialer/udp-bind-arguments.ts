import { OvpnUsageError } from '../core/errors.ts';

/** One call of `bind`, whatever its form was. */
export interface BindArguments {
  /** 0 for any. */
  readonly port: number;
  /** Undefined for any. */
  readonly address: string | undefined;
  readonly listener: (() => void) | undefined;
}

/**
 * The call forms of `dgram.Socket.bind`: `([port,] [address,] [listener])` and
 * `(options, [listener])`. @throws OvpnUsageError for a descriptor of the host
 */
export function bindArguments(target: unknown, rest: readonly unknown[]): BindArguments {
  const given = [target, ...rest];
  const listener = given.find((argument) => typeof argument === 'function');
  const options: Record<string, unknown> =
    typeof target === 'object' && target !== null
      ? { ...target }
      : { port: target, address: rest.find((argument) => typeof argument === 'string') };
  const { port, address, fd } = options;
  if (fd !== undefined) throw new OvpnUsageError('expected no fd of the host to bind', 'dialer');
  return {
    port: typeof port === 'number' || typeof port === 'string' ? toPort(port) : 0,
    address: typeof address === 'string' && address !== '' ? address : undefined,
    listener: listener as (() => void) | undefined,
  };
}

/** A number, or its digits. */
function toPort(given: number | string): number {
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new OvpnUsageError(`expected a port from 0 to ${MAX_PORT}, got ${given}`, 'dialer');
}

const MAX_PORT = 0xffff;
