import type { Remote } from '../model/profile.ts';
import { decimal } from './numbers.ts';
import { type Directive, tokeniseProfile } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft, RemoteDraft, Transport } from './profile-draft.ts';

/** Most remotes of one profile. */
export const MAX_REMOTES = 1024;

/** Where the server is: `remote`, `proto`, `port`, `<connection>` and the order of trying. */
export const REMOTE_READERS: DirectiveReaders = [
  ['remote', (draft, directive) => addRemote(draft, directive, draft.remotes)],
  ['proto', readProto],
  ['port', readPort],
  ['rport', readPort],
  ['connection', readConnection],
  ['proto-force', readProtoForce],
  [
    'remote-random',
    (draft) => {
      draft.profile.remoteRandom = true;
    },
  ],
  ['server-poll-timeout', readPollTimeout],
  ['connect-timeout', readPollTimeout],
];

/** Fills in the general port and transport, once every directive has been read. */
export function finishRemotes(draft: ProfileDraft): void {
  const drafts = draft.connections.length > 0 ? draft.connections : draft.remotes;
  const remotes = drafts.map((remote): Remote => {
    const { protocol, family } = remote.transport ?? draft.transport;
    return Object.freeze({ host: remote.host, port: remote.port ?? draft.port, protocol, family });
  });
  const { onlyProtocol } = draft;
  draft.profile.remotes =
    onlyProtocol === undefined
      ? remotes
      : remotes.filter(({ protocol }) => protocol === onlyProtocol);
  if (!draft.seen.has('remote') && !draft.seen.has('connection')) {
    draft.missing('no remote: the profile names no server');
  } else if (remotes.length > 0 && draft.profile.remotes.length === 0) {
    draft.missing('proto-force leaves no remote');
  }
}

function addRemote(draft: ProfileDraft, directive: Directive, list: RemoteDraft[]): void {
  const remote = remoteOf(draft, directive);
  if (remote === undefined) return;
  if (list.length < MAX_REMOTES) list.push(remote);
  else if (list.length === MAX_REMOTES)
    draft.invalid(directive, `more than ${MAX_REMOTES} remotes`);
}

function remoteOf(draft: ProfileDraft, directive: Directive): RemoteDraft | undefined {
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
  if (transport !== undefined) draft.transport = transport;
}

function readPort(draft: ProfileDraft, directive: Directive): void {
  draft.port = draft.numberOf(directive, 0, 1, 65_535) ?? draft.port;
}

function readProtoForce(draft: ProfileDraft, directive: Directive): void {
  const transport = transportOf(draft, directive, directive.args[0] ?? '');
  if (transport !== undefined) draft.onlyProtocol = transport.protocol;
}

function readPollTimeout(draft: ProfileDraft, directive: Directive): void {
  const seconds = draft.numberOf(directive, 0, 1, 86_400);
  if (seconds !== undefined) draft.profile.serverPollTimeoutMs = seconds * 1000;
}

/** A `<connection>` block: one remote with a port and a transport of its own. */
function readConnection(draft: ProfileDraft, block: Directive): void {
  if (block.block === undefined) {
    draft.invalid(block, 'expected a block <connection> … </connection>');
    return;
  }
  const { directives, problems } = tokeniseProfile(block.block, block.line + 1);
  draft.problems.push(...problems);
  const found: RemoteDraft[] = [];
  let port: number | undefined;
  let transport: Transport | undefined;
  for (const directive of directives) {
    const { name, args } = directive;
    if (name === 'remote') addRemote(draft, directive, found);
    else if (name === 'port' || name === 'rport') port = draft.numberOf(directive, 0, 1, 65_535);
    else if (name === 'proto') transport = transportOf(draft, directive, args[0] ?? '');
    else if (HARMLESS_IN_CONNECTION.has(name)) draft.ignore(directive, 'warn', OUTSIDE_ONLY);
    else draft.refuse({ ...directive, name: block.name }, UNSUPPORTED_INSIDE);
  }
  const remote = found.at(-1);
  if (remote === undefined) {
    draft.invalid(block, 'the block has no usable remote');
  } else if (draft.connections.length === MAX_REMOTES) {
    draft.invalid(block, `more than ${MAX_REMOTES} remotes`);
  } else {
    const { host } = remote;
    draft.connections.push({
      host,
      port: remote.port ?? port,
      transport: remote.transport ?? transport,
    });
  }
}

/** Directives that change nothing essential when one connection's value is not honoured. */
const HARMLESS_IN_CONNECTION: ReadonlySet<string> = new Set([
  'bind',
  'connect-retry',
  'connect-retry-max',
  'connect-timeout',
  'explicit-exit-notify',
  'float',
  'link-mtu',
  'local',
  'lport',
  'mssfix',
  'mtu-disc',
  'nobind',
  'server-poll-timeout',
  'tun-mtu',
  'tun-mtu-extra',
  'tun-mtu-max',
]);

const OUTSIDE_ONLY = 'has an effect outside <connection> only';
const UNSUPPORTED_INSIDE = 'this directive is not supported inside <connection>';

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

/** A name or an address in letters, digits and `. - _ : %`, or bytes beyond ASCII. */
function isHost(text: string): boolean {
  return text.length > 0 && text.length <= 255 && /^[A-Za-z0-9._:%\u0080-\uffff-]+$/.test(text);
}
