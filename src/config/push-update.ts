import { OvpnProtocolError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { splitLine } from './line-words.ts';
import { type PullPolicy, pullRefusal } from './pull-policy.ts';

/** The options that a PUSH_UPDATE may change or take back (options_parse.c `update_option`). */
export const UPDATABLE: ReadonlySet<string> = new Set([
  'block-ipv6',
  'block-outside-dns',
  'dhcp-option',
  'dns',
  'ifconfig',
  'ifconfig-ipv6',
  'keepalive',
  'redirect-gateway',
  'redirect-private',
  'route',
  'route-gateway',
  'route-ipv6',
  'route-metric',
  'topology',
  'tun-mtu',
]);

/** Pushed names that an update of another name replaces too. */
const SHORT_FOR: ReadonlyMap<string, readonly string[]> = new Map([
  ['keepalive', ['ping', 'ping-restart', 'ping-exit']],
]);

/**
 * The pushed options after a PUSH_UPDATE: all values of a name that it gives replace all earlier
 * ones of that name. Before the name may stand
 *
 *     -    all its values are taken back; no arguments follow
 *     ?    the option may be left out by whoever does not know it; `-?` for both
 *
 * All of it holds, or nothing.
 *
 * @param pushed the options so far, without the profile's own: those stay as they are
 * @throws OvpnProtocolError `OVPN_PUSH_INVALID` for an option that cannot be changed while the
 * session lasts; or as `pullRefusal` does
 */
export function applyPushUpdate(
  pushed: readonly string[],
  update: readonly string[],
  policy: PullPolicy,
): readonly string[] {
  const replaced = new Set<string>();
  const added: string[] = [];
  for (const option of update) {
    const { removes, optional, text, words } = readUpdate(option);
    const [name, ...args] = words;
    if (name === undefined || !UPDATABLE.has(name) || (removes && args.length > 0)) {
      if (optional) continue;
      throw notUpdatable(name);
    }
    if (pullRefusal(words, policy) !== undefined) continue;
    for (const one of [name, ...(SHORT_FOR.get(name) ?? [])]) replaced.add(one);
    if (!removes) added.push(text);
  }
  const kept = pushed.filter((option) => !replaced.has(splitLine(option).words[0] ?? ''));
  return Object.freeze([...kept, ...added]);
}

interface UpdatedOption {
  readonly removes: boolean;
  readonly optional: boolean;
  /** The option without the marks before its name. */
  readonly text: string;
  readonly words: readonly string[];
}

/** Marks stand before the name, in this order: `?-` is wrong, and so not optional. */
function readUpdate(option: string): UpdatedOption {
  const [, removal = '', leave = '', text = ''] = MARKS.exec(option) ?? [];
  const { words, problem } = splitLine(text);
  return {
    removes: removal !== '',
    optional: leave !== '' && !text.startsWith('-'),
    text,
    words: problem === undefined ? words : [],
  };
}

const MARKS = /^\s*(-?)(\??)(.*)$/s;

function notUpdatable(name: string | undefined): OvpnProtocolError {
  const got = name === undefined ? 'one without a name' : printable(name.slice(0, MAX_NAME));
  return new OvpnProtocolError(
    `expected options that can change while the session lasts, got ${got}: connecting anew may help`,
    {
      code: 'OVPN_PUSH_INVALID',
      layer: 'config',
      reference: 'options_parse.c apply_push_options, PUSH_UPDATE',
    },
  );
}

const MAX_NAME = 64;
