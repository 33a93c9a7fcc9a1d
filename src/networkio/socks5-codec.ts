import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { setU16, u8, u16 } from '../core/bytes.ts';

/**
 * Messages of a SOCKS5 client (RFC 1928, RFC 1929).
 *
 *     greeting     05, number of methods, methods                 answer  05, method
 *     sign-in      01, length, user name, length, password        answer  01, status (0: welcome)
 *     request      05, command, 00, type, address, port           answer  05, code, 00, type, address, port
 *     datagram     00 00, fragment (0: whole), type, address, port, content
 */
export const SOCKS_VERSION = 0x05;
const SIGN_IN_VERSION = 0x01;

export const SocksMethod = { NONE: 0x00, PASSWORD: 0x02, NOTHING_FITS: 0xff } as const;

export const SocksCommand = { CONNECT: 0x01, UDP_ASSOCIATE: 0x03 } as const;
export type SocksCommand = (typeof SocksCommand)[keyof typeof SocksCommand];

const AddressType = { IPV4: 0x01, NAME: 0x03, IPV6: 0x04 } as const;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const PORT_BYTES = 2;

/** Longest user name, password and host name that have room. Unit: bytes. */
export const MAX_SOCKS_TEXT_BYTES = 255;

/** Length of the answers to a greeting and to a sign-in. */
export const SHORT_ANSWER_BYTES = 2;

/** How much of an answer to a request tells its length. */
export const ANSWER_START_BYTES = 5;

/** A host, literal or by name, and a port. */
export interface SocksAddress {
  readonly host: string;
  readonly port: number;
}

export function encodeGreeting(methods: readonly number[]): Buffer {
  return Buffer.from([SOCKS_VERSION, methods.length, ...methods]);
}

/** The method that the proxy chose; undefined when the answer is none of a SOCKS5 proxy. */
export function decodeMethod(answer: Buffer): number | undefined {
  if (answer.length !== SHORT_ANSWER_BYTES || u8(answer, 0) !== SOCKS_VERSION) return undefined;
  return u8(answer, 1);
}

/** undefined when the user name is empty or one of both is longer than {@link MAX_SOCKS_TEXT_BYTES}. */
export function encodeSignIn(username: string, password: string): Buffer | undefined {
  const [user, secret] = [Buffer.from(username, 'utf8'), Buffer.from(password, 'utf8')];
  if (user.length === 0 || user.length > MAX_SOCKS_TEXT_BYTES) return undefined;
  if (secret.length > MAX_SOCKS_TEXT_BYTES) return undefined;
  return Buffer.concat([
    Buffer.from([SIGN_IN_VERSION, user.length]),
    user,
    Buffer.from([secret.length]),
    secret,
  ]);
}

/** Whether the proxy lets us in. Some give the version of SOCKS in place of the sign-in's. */
export function isWelcome(answer: Buffer): boolean {
  if (answer.length !== SHORT_ANSWER_BYTES) return false;
  const version = u8(answer, 0);
  return (version === SIGN_IN_VERSION || version === SOCKS_VERSION) && u8(answer, 1) === 0;
}

/** @param to its host has 1 to {@link MAX_SOCKS_TEXT_BYTES} bytes */
export function encodeRequest(command: SocksCommand, to: SocksAddress): Buffer {
  return Buffer.concat([Buffer.from([SOCKS_VERSION, command, 0]), encodeAddress(to)]);
}

/**
 * Length of the answer to a request that begins with these {@link ANSWER_START_BYTES}; undefined
 * when it is none of a SOCKS5 proxy.
 */
export function answerLength(start: Buffer): number | undefined {
  if (start.length < ANSWER_START_BYTES || u8(start, 0) !== SOCKS_VERSION) return undefined;
  const type = u8(start, 3);
  if (type === AddressType.IPV4) return 4 + IPV4_BYTES + PORT_BYTES;
  if (type === AddressType.IPV6) return 4 + IPV6_BYTES + PORT_BYTES;
  return type === AddressType.NAME ? 5 + u8(start, 4) + PORT_BYTES : undefined;
}

/**
 * The address in an answer that is a yes; undefined when it is not as long as {@link answerLength}
 * says.
 */
export function decodeBound(answer: Buffer): SocksAddress | undefined {
  if (answerLength(answer) !== answer.length) return undefined;
  const type = u8(answer, 3);
  const host = answer.subarray(type === AddressType.NAME ? 5 : 4, -PORT_BYTES);
  return { host: hostText(type, host), port: u16(answer, answer.length - PORT_BYTES) };
}

/** What stands before every datagram to `to`, and before every one from there. */
export function encodeDatagramHeader(to: SocksAddress): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0]), encodeAddress(to)]);
}

function encodeAddress({ host, port }: SocksAddress): Buffer {
  const portBytes = Buffer.alloc(PORT_BYTES);
  setU16(portBytes, 0, port);
  const family = isIP(host);
  if (family === 0) {
    const name = Buffer.from(host, 'latin1');
    return Buffer.concat([Buffer.from([AddressType.NAME, name.length]), name, portBytes]);
  }
  const type = family === 4 ? AddressType.IPV4 : AddressType.IPV6;
  const bytes = ipaddr.parse(host).toByteArray();
  return Buffer.concat([Buffer.from([type, ...bytes]), portBytes]);
}

function hostText(type: number, bytes: Buffer): string {
  return type === AddressType.NAME
    ? bytes.toString('latin1')
    : ipaddr.fromByteArray([...bytes]).toString();
}
