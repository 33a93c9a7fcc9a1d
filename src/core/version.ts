/** The package's version, as the peer is told (`IV_VER`) and `--version` prints. */
export const VERSION = '0.1.0';
