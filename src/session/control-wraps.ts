import type { Role } from '../model/ids.ts';
import type { ControlWrapOptions } from '../model/profile.ts';
import { type ControlWrap, plainWrap } from '../packetmuxer/control-wrap.ts';
import { StatelessTlsCryptWrap, TlsCryptWrap } from '../packetmuxer/tls-crypt.ts';

/** Replay id with which a server's session goes on: its reset had id 1 and left no state. */
const AFTER_STATELESS_RESET = 2;

/** The control wrap of one session. */
export function sessionWrap(
  wrap: ControlWrapOptions,
  role: Role,
  unixSeconds: () => number,
): ControlWrap {
  if (wrap.kind === 'none') return plainWrap;
  const key = wrap.key.reveal();
  return role === 'client'
    ? new TlsCryptWrap({ key, role, unixSeconds })
    : new TlsCryptWrap({ key, role, unixSeconds, firstPacketId: AFTER_STATELESS_RESET });
}

/** The wrap of a server's answers to strangers: without memory of any of them. */
export function statelessWrap(wrap: ControlWrapOptions, unixSeconds: () => number): ControlWrap {
  return wrap.kind === 'none'
    ? plainWrap
    : new StatelessTlsCryptWrap({ key: wrap.key.reveal(), unixSeconds });
}
