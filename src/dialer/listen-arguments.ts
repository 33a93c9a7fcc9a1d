import { OvpnUsageError } from '../core/errors.ts';

/** Where a {@link TunServer} listens. */
export interface TunListenOptions {
  /** 0: any free one. Default: 0. */
  readonly port?: number | undefined;
  /** An address of ours. Default: all of them. */
  readonly host?: string | undefined;
  /** Most connections that are half open. Default: 128. */
  readonly backlog?: number | undefined;
  /** Closes the server. */
  readonly signal?: AbortSignal | undefined;
}

export type ListenListener = () => void;

/** The call forms of `net.Server.listen` as one. @throws OvpnUsageError for a path, a handle or a wrong port */
export function listenArguments(...args: readonly unknown[]): {
  options: TunListenOptions;
  listener: ListenListener | undefined;
} {
  const [target, ...rest] = args.filter((argument) => typeof argument !== 'function');
  const listener = args.find((argument) => typeof argument === 'function');
  const options = isListenOptions(target)
    ? target
    : {
        port: target as number | undefined,
        host: rest.find((argument) => typeof argument === 'string'),
        backlog: rest.find((argument) => typeof argument === 'number'),
      };
  return {
    options: { ...options, port: listenPort(options.port) },
    listener: listener as ListenListener | undefined,
  };
}

function isListenOptions(target: unknown): target is TunListenOptions {
  if (typeof target !== 'object' || target === null) return false;
  if (!HANDLES.some((name) => name in target)) return true;
  throw new OvpnUsageError('expected a port: there are no paths or handles in a tunnel', 'dialer');
}

/** `net.Server` takes numeric strings, and nothing at all, as ports too. */
function listenPort(port: unknown): number {
  if (port === undefined || port === null) return 0;
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= MAX_PORT) {
    return number;
  }
  const expected = `expected a port from 0 to ${MAX_PORT}: there are no local paths in a tunnel`;
  throw new OvpnUsageError(`${expected}, got ${port}`, 'dialer');
}

/** What else `net.Server` listens on. */
const HANDLES: readonly string[] = ['path', 'fd', '_handle'];
const MAX_PORT = 0xffff;
