/** What a TLS session gives beside its own keys (RFC 5705, RFC 8446 §7.5), by label. */
export const ExporterLabel = {
  DATA_KEYS: 'EXPORTER-OpenVPN-datakeys',
  /** For the control wrap of renegotiations. */
  CONTROL_KEY: 'EXPORTER-OpenVPN-dynamic-tls-crypt',
} as const;
export type ExporterLabel = (typeof ExporterLabel)[keyof typeof ExporterLabel];
