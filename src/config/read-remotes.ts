import type { ConnectionSettings, Remote } from '../model/profile.ts';
import { type ConnectionDraft, connectionWithin, type Transport } from './connection-draft.ts';
import { generalSettings, ownSettings } from './connection-settings.ts';
import { isHost } from './host.ts';
import { decimal } from './numbers.ts';
import { type Directive, tokeniseProfile } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft, RemoteDraft } from './profile-draft.ts';

/** Most remotes of one profile. */
export const MAX_REMOTES = 1024;

/** Where the server is: `remote`, `proto`, `port`, `<connection>` and the order of trying. */
export const REMOTE_READERS: DirectiveReaders = [
  ['remote', readRemote],
  ['proto', readProto],
  ['port', readPort],
  ['rport', readRport],
  ['connection', readConnection],
  ['proto-force', readProtoForce],
  [
    'remote-random',
    (draft) => {
      draft.profile.remoteRandom = true;
    },
  ],
  [
    'remote-random-hostname',
    (draft) => {
      draft.profile.remoteRandomHostname = true;
    },
  ],
];

/**
 * Puts remotes and connections together, once every directive has been read. Blocks take the place
 * of remotes outside them.
 */
export function finishRemotes(draft: ProfileDraft): void {
  const { general, connections, onlyProtocol } = draft;
  const settings = generalSettings(draft);
  Object.assign(draft.profile, settings);
  const all =
    connections.length > 0 ? connections : draft.remotes.map((remote) => within(general, remote));
  const wanted = all.filter(
    ({ transport }) => onlyProtocol === undefined || transport.protocol === onlyProtocol,
  );
  draft.profile.remotes = wanted.map((connection) => {
    const own = connections.length > 0 ? ownSettings(draft, connection, settings) : undefined;
    return remoteOf(connection, own);
  });
  if (!draft.seen.has('remote') && !draft.seen.has('connection')) {
    draft.missing('no remote: the profile names no server');
  } else if (all.length > 0 && wanted.length === 0) {
    draft.missing('proto-force leaves no remote');
  }
  checkTransports(draft, wanted);
}

/** The connection of a remote outside of blocks. */
function within(general: ConnectionDraft, remote: RemoteDraft): ConnectionDraft {
  const { host, port = general.port, transport = general.transport } = remote;
  return { ...general, host, port, transport };
}

function remoteOf(
  { host = '', port, transport }: ConnectionDraft,
  settings: Partial<ConnectionSettings> | undefined,
): Remote {
  const place = { host, port, ...transport };
  return Object.freeze(settings === undefined ? place : { ...place, settings });
}

/** What a transport cannot do is told once, at the directive that asks for it. */
function checkTransports(draft: ProfileDraft, connections: readonly ConnectionDraft[]): void {
  const wrong = new Map<Directive, string>();
  for (const { transport, fragment, httpProxy } of connections) {
    if (transport.protocol === 'tcp' && fragment !== undefined) {
      wrong.set(fragment.directive, 'is for UDP, and a remote is reached over TCP');
    }
    if (transport.protocol === 'udp' && httpProxy !== undefined) {
      wrong.set(
        httpProxy.directive,
        'carries TCP only, and a remote is reached over UDP: proto tcp',
      );
    }
  }
  for (const [directive, message] of wrong) draft.refuse(directive, message);
}

function readRemote(draft: ProfileDraft, directive: Directive): void {
  const remote = parsedRemote(draft, directive);
  if (remote === undefined) return;
  if (draft.isInBlock) Object.assign(draft.connection, within(draft.connection, remote));
  else if (draft.remotes.length < MAX_REMOTES) draft.remotes.push(remote);
  else draft.invalidOnce(directive, TOO_MANY);
}

const TOO_MANY = `more than ${MAX_REMOTES} remotes`;

function parsedRemote(draft: ProfileDraft, directive: Directive): RemoteDraft | undefined {
  const [host, portText, protocolText] = directive.args;
  if (host === undefined || !isHost(host)) {
    draft.invalid(directive, 'expected a host name or an address');
    return undefined;
  }
  const port = portText === undefined ? undefined : decimal(portText, 1, 65_535);
  if (portText !== undefined && port === undefined) {
    draft.invalid(directive, 'expected a port 1 to 65535 after the host');
    return undefined;
  }
  if (protocolText === undefined) return { host, port, transport: undefined };
  const transport = transportOf(draft, directive, protocolText);
  return transport === undefined ? undefined : { host, port, transport };
}

function readProto(draft: ProfileDraft, directive: Directive): void {
  const transport = transportOf(draft, directive, directive.args[0] ?? '');
  if (transport !== undefined) draft.connection.transport = transport;
}

/** Both ends' port; ours counts where a local end is asked for. */
function readPort(draft: ProfileDraft, directive: Directive): void {
  const port = draft.numberOf(directive, 0, 1, 65_535);
  if (port === undefined) return;
  draft.connection.port = port;
  draft.connection.localPort = port;
}

function readRport(draft: ProfileDraft, directive: Directive): void {
  const { connection } = draft;
  connection.port = draft.numberOf(directive, 0, 1, 65_535) ?? connection.port;
}

function readProtoForce(draft: ProfileDraft, directive: Directive): void {
  const transport = transportOf(draft, directive, directive.args[0] ?? '');
  if (transport !== undefined) draft.onlyProtocol = transport.protocol;
}

/** A `<connection>` block: one remote, with whatever it says of its own. */
function readConnection(draft: ProfileDraft, block: Directive): void {
  if (block.block === undefined) {
    draft.invalid(block, 'expected a block <connection> … </connection>');
    return;
  }
  const connection = connectionWithin(draft.general);
  const { directives, problems } = tokeniseProfile(block.block, block.line + 1);
  draft.problems.push(...problems);
  draft.readWithin(connection, directives);
  if (connection.host === undefined) draft.invalid(block, 'the block has no usable remote');
  else if (draft.connections.length < MAX_REMOTES) draft.connections.push(connection);
  else draft.invalidOnce(block, TOO_MANY);
}

function transportOf(
  draft: ProfileDraft,
  directive: Directive,
  text: string,
): Transport | undefined {
  const transport = TRANSPORTS.get(text.toLowerCase());
  if (transport === undefined) {
    draft.invalid(directive, 'expected a protocol: udp, udp4, udp6, tcp, tcp4 or tcp6');
  }
  return transport;
}

const TRANSPORTS: ReadonlyMap<string, Transport> = new Map([
  ['udp', { protocol: 'udp', family: 0 }],
  ['udp4', { protocol: 'udp', family: 4 }],
  ['udp6', { protocol: 'udp', family: 6 }],
  ['tcp', { protocol: 'tcp', family: 0 }],
  ['tcp4', { protocol: 'tcp', family: 4 }],
  ['tcp6', { protocol: 'tcp', family: 6 }],
  ['tcp-client', { protocol: 'tcp', family: 0 }],
  ['tcp4-client', { protocol: 'tcp', family: 4 }],
  ['tcp6-client', { protocol: 'tcp', family: 6 }],
]);
