/** What TLS may use; fields as in `Profile`. */
export interface TlsChoices {
  readonly tlsVersionMin: '1.2' | '1.3';
  readonly tlsVersionMax: '1.2' | '1.3';
  readonly tlsCipher: string | undefined;
  readonly tlsCiphersuites: string | undefined;
  readonly tlsGroups: string | undefined;
}

/** The same as options of node:tls; what is absent is Node's own choice. */
export interface TlsChoiceOptions {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
}

/**
 * @param defaults Node's list of ciphers. It has the suites of TLS 1.3 among the others, and whoever
 * leaves one kind out of a list switches that version off: so each kind has its default.
 */
export function tlsChoiceOptions(choices: TlsChoices, defaults: string): TlsChoiceOptions {
  const { tlsVersionMin, tlsVersionMax, tlsCipher, tlsCiphersuites, tlsGroups } = choices;
  const own = defaults.split(':');
  const suites = tlsCiphersuites ?? own.filter(isTls13).join(':');
  const older = tlsCipher ?? own.filter((name) => !isTls13(name)).join(':');
  return {
    minVersion: `TLSv${tlsVersionMin}`,
    maxVersion: `TLSv${tlsVersionMax}`,
    ...((tlsCipher !== undefined || tlsCiphersuites !== undefined) && {
      ciphers: `${suites}:${older}`,
    }),
    ...(tlsGroups !== undefined && { ecdhCurve: tlsGroups }),
  };
}

function isTls13(name: string): boolean {
  return name.startsWith('TLS_');
}
