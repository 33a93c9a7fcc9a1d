import { OvpnUsageError, toError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { Remote, Scramble } from '../model/profile.ts';
import { connectDatagrams } from '../networkio/connect-datagrams.ts';
import { connectSocket } from '../networkio/connect-socket.ts';
import type { Link } from '../networkio/link.ts';
import { unreachable } from '../networkio/network-errors.ts';
import { type ResolvedRemote, resolveRemote } from '../networkio/remote.ts';
import { ScrambleLink } from '../networkio/scramble-link.ts';
import { scramblePipe } from '../networkio/scramble-pipe.ts';
import { ScrambleStream } from '../networkio/scramble-stream.ts';
import { Scrambler } from '../networkio/scrambler.ts';
import { isStream, type Transport } from '../networkio/transport.ts';
import type { OpenTransport } from './options.ts';

/** How {@link scramble} disguises packets. */
export interface ScrambleOptions {
  /** As behind `scramble` in a profile. */
  readonly mode: 'xormask' | 'xorptrpos' | 'reverse' | 'obfuscate';
  /** For `xormask` and `obfuscate`: a text, or bytes. Never empty. */
  readonly key?: string | Uint8Array;
}

/**
 * A `transport` that disguises packets as Tunnelblick's `scramble` does; both ends must do so. A
 * profile with `scramble` needs no such transport. The disguise keeps nothing secret.
 *
 * @param transport the way that the disguised packets take. Default: a UDP or TCP socket
 * @throws OvpnUsageError for a mode that there is not, and for a key that is missing
 */
export function scramble({ mode, key }: ScrambleOptions, transport?: OpenTransport): OpenTransport {
  const secret = key === undefined ? undefined : new Secret(Buffer.from(key));
  const scrambler = new Scrambler({ mode, key: secret });
  const open = transport ?? openPlain;
  return async (remote, options) => {
    const plain = await open(remote, options);
    return isStream(plain) ? new ScrambleStream(plain, scrambler) : scramblePipe(plain, scrambler);
  };
}

/**
 * The link as a profile wants it: disguised where it says so.
 * @throws OvpnUsageError for a stream and a profile with `fragment`; the link is then closed
 */
export function shapedLink(
  link: Link,
  profile: { readonly scramble: Scramble | undefined; readonly fragment: number },
): Link {
  if (profile.fragment > 0 && link.protocol === 'tcp') {
    void link.close();
    throw new OvpnUsageError(
      'expected datagrams for a profile with `fragment`, got a stream',
      'vpnclient',
    );
  }
  if (profile.scramble === undefined) return link;
  return new ScrambleLink(link, new Scrambler(profile.scramble));
}

/** A socket to the first address of the remote that can be reached. */
async function openPlain(
  remote: Remote,
  { signal }: { readonly signal: AbortSignal },
): Promise<Transport> {
  let failure: Error | undefined;
  for (const address of await resolveRemote(remote, { signal })) {
    try {
      return await connectPlain(address, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = toError(error);
    }
  }
  throw failure ?? new Error('nothing to try');
}

function connectPlain(remote: ResolvedRemote, signal: AbortSignal): Promise<Transport> {
  const { protocol, address, port } = remote;
  const options = {
    signal,
    what: `${protocol} ${address} port ${port}`,
    toError: (cause: Error) => unreachable(remote, cause),
  };
  return protocol === 'udp' ? connectDatagrams(remote, options) : connectSocket(remote, options);
}
