export { LocalBalancer } from './balancer.ts';
export type { BalancerLog, LocalBalancerOptions } from './balancer.ts';
export { stopLeftHaproxy } from './left-haproxy.ts';
export type { BalancerStatus, FrontendStatus, MemberStatus } from './status.ts';
export * from './errors.ts';
