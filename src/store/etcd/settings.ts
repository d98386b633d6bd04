/** How etcd is reached; secrets are read from files when connecting, and never kept in messages. */
export interface EtcdSettings {
  /** `host:port` of some members; the others are asked for. At least one. */
  readonly endpoints: readonly string[];
  /** PEM files; null: plain HTTP/2. */
  readonly tls: {
    readonly caFile: string;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  } | null;
  /** User and password of etcd's own authentication; null: none, or by certificate. */
  readonly user: { readonly name: string; readonly passwordFile: string } | null;
}

/** How etcd is spoken to, wherever its members are: what the configuration says beside the URL of the store. */
export type EtcdAccess = Omit<EtcdSettings, 'endpoints'>;
