/** Why a packet of ours did not get there, as an ICMP or ICMPv6 error told. */
export type UnreachableKind =
  | 'network-unreachable'
  | 'host-unreachable'
  | 'protocol-unreachable'
  | 'port-unreachable'
  | 'prohibited'
  | 'too-big'
  | 'time-exceeded'
  | 'parameter-problem';
