import { OvpnUsageError } from '../core/errors.ts';
import type { Subnet } from '../model/push-options.ts';
import { IvProto } from '../tlsstate/peer-info.ts';
import type { PoolAddress } from './address-pool.ts';

/** Longest control message, its ending NUL counted (common.h `PUSH_BUNDLE_SIZE`). Unit: bytes. */
export const MAX_PUSH_MESSAGE_BYTES = 1024;

/** Longest single option (options.h `OPTION_LINE_SIZE`, its NUL not counted). Unit: bytes. */
export const MAX_PUSH_OPTION_BYTES = 255;

/** What one client is told. */
export interface PushParts {
  /** The server's own addresses: the gateway. */
  readonly server: PoolAddress;
  readonly address: PoolAddress;
  /** undefined for a client that does not negotiate it. */
  readonly cipher: string | undefined;
  readonly peerId: number;
  /** Whether keys are to come from the TLS exporter, if the client can. */
  readonly tlsEkm: boolean;
  /** Whether EXIT is to go over the control channel, if the client can. */
  readonly ccExit: boolean;
  /** Whether renegotiations have a control wrap of their own, as the handshake has granted it. */
  readonly dynTlsCrypt: boolean;
  /** Whether data packets have the epoch format, as the handshake has granted it. */
  readonly aeadEpoch: boolean;
  /** The client's `IV_PROTO`; 0 when it sent none. */
  readonly ivProto: number;
  /** Further options, as they are to be pushed: `route 10.9.0.0 255.255.0.0`. */
  readonly pushes: readonly string[];
}

/**
 * The PUSH_REPLY of a client, as one message or several, without their NUL. Only what the client
 * announced is granted.
 *
 * @throws OvpnUsageError when one of `pushes` cannot be an option: too long, empty, or with a
 * comma or a control character
 */
export function buildPushReply(parts: PushParts): string[] {
  return bundle('PUSH_REPLY', [...ownOptions(parts), ...parts.pushes.map(checkedOption)]);
}

/**
 * A PUSH_UPDATE of `options`, as one message or several, without their NUL.
 * @throws OvpnUsageError as {@link buildPushReply}
 */
export function buildPushUpdate(options: readonly string[]): string[] {
  return bundle('PUSH_UPDATE', options.map(checkedOption));
}

function ownOptions({ server, address, ...parts }: PushParts): string[] {
  const { ivProto } = parts;
  const options = [
    'topology subnet',
    `route-gateway ${server.ipv4.address}`,
    `ifconfig ${address.ipv4.address} ${maskOf(address.ipv4)}`,
  ];
  if (address.ipv6 !== undefined && server.ipv6 !== undefined) {
    const { address: local, prefixLength } = address.ipv6;
    options.push(`ifconfig-ipv6 ${local}/${prefixLength} ${server.ipv6.address}`);
  }
  if ((ivProto & IvProto.DATA_V2) !== 0) options.push(`peer-id ${parts.peerId}`);
  if (parts.cipher !== undefined) options.push(`cipher ${parts.cipher}`);
  return [...options, ...keyOptions(parts)];
}

/** A client that knows `protocol-flags` is told by them, an older one by `key-derivation`. */
function keyOptions({
  tlsEkm,
  ccExit,
  dynTlsCrypt,
  aeadEpoch,
  ivProto,
}: Omit<PushParts, 'server' | 'address'>): string[] {
  const canExport = tlsEkm && (ivProto & IvProto.TLS_KEY_EXPORT) !== 0;
  if ((ivProto & IvProto.CC_EXIT_NOTIFY) === 0) return canExport ? ['key-derivation tls-ekm'] : [];
  const flags = [
    ...(ccExit ? ['cc-exit'] : []),
    ...(canExport ? ['tls-ekm'] : []),
    ...(dynTlsCrypt ? ['dyn-tls-crypt'] : []),
    ...(aeadEpoch ? ['aead-epoch'] : []),
  ];
  return flags.length === 0 ? [] : [`protocol-flags ${flags.join(' ')}`];
}

function checkedOption(option: string): string {
  const isTooLong = Buffer.byteLength(option) > MAX_PUSH_OPTION_BYTES;
  const isForbidden = [...option].some((char) => char < ' ' || char === '\x7f' || char === ',');
  if (option === '' || isTooLong || isForbidden) {
    throw new OvpnUsageError(
      `expected a pushed option of 1 to ${MAX_PUSH_OPTION_BYTES} bytes without a comma`,
      'server',
    );
  }
  return option;
}

const MORE = ',push-continuation 2';
const LAST = ',push-continuation 1';

/** Fills messages one after the other; room for the continuation mark is always kept. */
function bundle(head: 'PUSH_REPLY' | 'PUSH_UPDATE', options: readonly string[]): string[] {
  const limit = MAX_PUSH_MESSAGE_BYTES - 1 - MORE.length;
  const messages: string[] = [];
  let message: string = head;
  for (const option of options) {
    if (Buffer.byteLength(message) + 1 + Buffer.byteLength(option) > limit) {
      messages.push(message + MORE);
      message = head;
    }
    message += `,${option}`;
  }
  return messages.length === 0 ? [message] : [...messages, message + LAST];
}

function maskOf({ prefixLength }: Subnet): string {
  const ones = (2 ** prefixLength - 1) * 2 ** (32 - prefixLength);
  return [24, 16, 8, 0].map((shift) => (ones >>> shift) & 0xff).join('.');
}
