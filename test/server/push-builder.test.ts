import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import {
  buildPushReply,
  MAX_PUSH_MESSAGE_BYTES,
  MAX_PUSH_OPTION_BYTES,
  type PushParts,
} from '../../src/server/push-builder.ts';
import { IvProto } from '../../src/tlsstate/peer-info.ts';

const ALL = IvProto.DATA_V2 | IvProto.TLS_KEY_EXPORT | IvProto.CC_EXIT_NOTIFY;

function parts(changes: Partial<PushParts> = {}): PushParts {
  const pool = new AddressPool();
  return {
    server: pool.server,
    address: pool.allocate() ?? pool.server,
    cipher: 'AES-256-GCM',
    peerId: 7,
    tlsEkm: true,
    ccExit: true,
    dynTlsCrypt: false,
    aeadEpoch: false,
    ivProto: ALL,
    pushes: [],
    ...changes,
  };
}

/** The options of all messages, without the marks of continuation. */
function optionsOf(messages: readonly string[]): string[] {
  return messages
    .flatMap((message) => message.split(',').slice(1))
    .filter((option) => !option.startsWith('push-continuation'));
}

describe('buildPushReply', () => {
  test('says what OpenVPN says, in one message', () => {
    expect(buildPushReply(parts({ pushes: ['ping 10'] }))).toEqual([
      'PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ifconfig 10.8.0.2 255.255.255.0,' +
        'peer-id 7,cipher AES-256-GCM,protocol-flags cc-exit tls-ekm,ping 10',
    ]);
  });

  test.each([
    {
      name: 'export and cc-exit',
      ivProto: ALL,
      tlsEkm: true,
      ccExit: true,
      told: ['protocol-flags cc-exit tls-ekm'],
    },
    {
      name: 'export only',
      ivProto: IvProto.TLS_KEY_EXPORT,
      tlsEkm: true,
      ccExit: true,
      told: ['key-derivation tls-ekm'],
    },
    {
      name: 'cc-exit only',
      ivProto: IvProto.CC_EXIT_NOTIFY,
      tlsEkm: true,
      ccExit: true,
      told: ['protocol-flags cc-exit'],
    },
    { name: 'nothing', ivProto: 0, tlsEkm: true, ccExit: true, told: [] },
    {
      name: 'all, the server wants no export',
      ivProto: ALL,
      tlsEkm: false,
      ccExit: true,
      told: ['protocol-flags cc-exit'],
    },
    {
      name: 'all, the server wants no cc-exit',
      ivProto: ALL,
      tlsEkm: true,
      ccExit: false,
      told: ['protocol-flags tls-ekm'],
    },
    { name: 'all, the server wants neither', ivProto: ALL, tlsEkm: false, ccExit: false, told: [] },
  ])('grants a client that announced $name what it knows', ({ told, ...changes }) => {
    const options = optionsOf(buildPushReply(parts(changes)));
    expect(options.filter((option) => /^(key-derivation|protocol-flags)/.test(option))).toEqual(
      told,
    );
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'both',                         granted: { dynTlsCrypt: true, aeadEpoch: true },  ivProto: ALL, told: ['protocol-flags cc-exit tls-ekm dyn-tls-crypt aead-epoch'] },
    { name: 'a wrap for renegotiations',    granted: { dynTlsCrypt: true },                   ivProto: ALL, told: ['protocol-flags cc-exit tls-ekm dyn-tls-crypt'] },
    { name: 'epochs',                       granted: { aeadEpoch: true },                     ivProto: ALL, told: ['protocol-flags cc-exit tls-ekm aead-epoch'] },
    { name: 'both and nothing else',        granted: { dynTlsCrypt: true, aeadEpoch: true, tlsEkm: false, ccExit: false }, ivProto: ALL, told: ['protocol-flags dyn-tls-crypt aead-epoch'] },
    { name: 'neither, without the flags',   granted: { dynTlsCrypt: true, aeadEpoch: true },  ivProto: ALL & ~IvProto.CC_EXIT_NOTIFY, told: ['key-derivation tls-ekm'] },
  ])('tells by protocol-flags of what was granted: $name', ({ granted, ivProto, told }) => {
    const options = optionsOf(buildPushReply(parts({ ...granted, ivProto })));
    expect(options.filter((option) => /^(key-derivation|protocol-flags)/.test(option))).toEqual(
      told,
    );
  });

  test('names a peer id only to clients that can use it', () => {
    const withoutDataV2 = optionsOf(buildPushReply(parts({ ivProto: 0 })));
    expect(withoutDataV2.some((option) => option.startsWith('peer-id'))).toBe(false);
  });

  test.each([
    { subnet: '10.0.0.0/8', mask: '255.0.0.0' },
    { subnet: '10.8.0.0/20', mask: '255.255.240.0' },
    { subnet: '10.8.0.0/30', mask: '255.255.255.252' },
  ])('the mask of $subnet is $mask', ({ subnet, mask }) => {
    const { server } = new AddressPool({ subnet });
    expect(optionsOf(buildPushReply(parts({ server, address: server })))[2]).toContain(` ${mask}`);
  });

  test('is read back by readPushOptions', () => {
    const pool = new AddressPool({ subnet6: 'fd00::/64' });
    const { server } = pool;
    const address = pool.allocate() ?? server;
    const pushes = ['dhcp-option DNS 10.8.0.1', 'route 10.9.0.0 255.255.0.0', 'ping 10'];
    const granted = { dynTlsCrypt: true, aeadEpoch: true };
    const all = parts({ server, address, pushes, ...granted });
    const read = readPushOptions(optionsOf(buildPushReply(all)));
    expect(read).toMatchObject({
      ipv4: { address: '10.8.0.2', prefixLength: 24 },
      ipv6: { address: 'fd00::2', prefixLength: 64, peer: 'fd00::1' },
      topology: 'subnet',
      routeGateway: '10.8.0.1',
      dnsServers: ['10.8.0.1'],
      routes: [{ address: '10.9.0.0', prefixLength: 16, gateway: undefined }],
      peerId: 7,
      tlsEkm: true,
      ccExit: true,
      dynTlsCrypt: true,
      aeadEpoch: true,
      pingMs: 10_000,
      ignored: [],
    });
  });

  test('keeps all options in order over messages of at most 1024 bytes with their NUL', () => {
    const option = fc.string({
      unit: fc.constantFrom('a', 'é', ' ', '0'),
      minLength: 1,
      maxLength: 120,
    });
    fc.assert(
      fc.property(fc.array(option, { maxLength: 100 }), (pushes) => {
        const messages = buildPushReply(parts({ pushes }));
        for (const [index, message] of messages.entries()) {
          expect(Buffer.byteLength(message) + 1).toBeLessThanOrEqual(MAX_PUSH_MESSAGE_BYTES);
          const isLast = index === messages.length - 1;
          const mark = messages.length === 1 ? '' : `,push-continuation ${isLast ? 1 : 2}`;
          expect(message.endsWith(mark)).toBe(true);
        }
        expect(optionsOf(messages).slice(-pushes.length || Number.POSITIVE_INFINITY)).toEqual(
          pushes,
        );
      }),
    );
  });

  test.each([
    { name: 'a comma', option: 'route a,b' },
    { name: 'a line end', option: 'route\na' },
    { name: 'a DEL', option: 'route\x7f' },
    { name: 'nothing', option: '' },
    { name: 'too many bytes', option: 'x'.repeat(MAX_PUSH_OPTION_BYTES + 1) },
  ])('refuses an option with $name', ({ option }) => {
    expect(() => buildPushReply(parts({ pushes: [option] }))).toThrow(OvpnUsageError);
  });
});
