/** The version of Consul whose behaviour drover has; clients parse it, and find it in `consul-version` of each node's metadata. */
export const CONSUL_VERSION = '1.22.0';
