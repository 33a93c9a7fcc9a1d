import type { Duplex } from 'node:stream';
import { DatagramLink, type DatagramPipe } from './datagram-link.ts';
import type { Link, LinkAddresses } from './link.ts';
import { StreamLink } from './stream-link.ts';

/** What a user's `transport` gives: packets as datagrams, or a byte stream that carries frames. */
export type Transport = DatagramPipe | Duplex;

/** A link over the user's own way to the server; the link closes it. */
export function linkOverTransport(transport: Transport, addresses: LinkAddresses): Link {
  return isStream(transport)
    ? new StreamLink(transport, { addresses })
    : new DatagramLink(transport, { addresses });
}

/** By shape, not by class: a Duplex may come from another copy of the streams library. */
export function isStream(transport: Transport): transport is Duplex {
  return 'write' in transport && typeof transport.write === 'function';
}
