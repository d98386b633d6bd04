-- The token of bench/acl-host.ts.
wrk.headers["X-Consul-Token"] = "5e6b2d4e-8c35-4b0e-9a41-0123456789ab"
