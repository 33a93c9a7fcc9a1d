import type { ClientNat } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import { NatTranslator } from '../tun/client-nat.ts';
import { keepaliveOf } from './keepalive.ts';
import type { SessionSettings } from './session.ts';
import type { Stack } from './stack.ts';
import { type TunnelFacts, tunnelInfo } from './tunnel-info.ts';

/** What a push is applied to. */
export interface PushedSettingsParts {
  readonly stack: Pick<Stack, 'tun' | 'datachannel'>;
  readonly settings: SessionSettings;
  /** What the session has settled once and for all. */
  readonly facts: TunnelFacts;
  /** What a data packet has more than the packet inside. Unit: bytes. */
  readonly overheadBytes: number;
}

/** Brings what a server pushed, at first or by a PUSH_UPDATE, into the layers of a session. */
export class PushedSettings {
  readonly #parts: PushedSettingsParts;

  constructor(parts: PushedSettingsParts) {
    this.#parts = parts;
  }

  /** Applies all of `push`; gives the tunnel as it is from now on. */
  apply(push: PushOptions): TunnelInfo {
    const { stack, settings, facts, overheadBytes } = this.#parts;
    const info = tunnelInfo(push, facts, settings, overheadBytes);
    stack.tun.configure({ mtu: info.mtu, maxMss: info.mss, nat: translator(push.clientNat) });
    stack.datachannel.configure(keepaliveOf(push, settings, facts.protocol));
    return info;
  }
}

function translator(rules: readonly ClientNat[]): NatTranslator | undefined {
  return rules.length === 0 ? undefined : new NatTranslator(rules);
}
