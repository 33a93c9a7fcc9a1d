/** A user name and a password, as the server is to see them. */
export interface UserPassword {
  readonly username: string;
  readonly password: string;
}

/** What is asked for when credentials are a callback. */
export interface CredentialsRequest {
  readonly kind: 'user-password' | 'key-passphrase' | 'challenge';
  /** The server's text, made printable; undefined where there is none. */
  readonly prompt: string | undefined;
}

/** Fixed credentials, or a callback that is asked when they are needed. */
export type Credentials =
  | UserPassword
  | ((request: CredentialsRequest) => UserPassword | Promise<UserPassword>);
