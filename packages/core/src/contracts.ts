export { clockContract } from './contracts/clock-contract.ts'
export type { Contract, ContractCase } from './contracts/contract.ts'
export { fleetContract } from './contracts/fleet-contract.ts'
export { workerLeasesContract } from './contracts/worker-leases-contract.ts'
