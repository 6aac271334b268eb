export { sampleEntry, type TierPromise, tierContract } from './tier-contract.ts'
