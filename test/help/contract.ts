import { concat, id } from 'ethers';

/** Interface of the contract below. */
export const STORE_ABI = ['function set(uint256 value)', 'function get() view returns (uint256)', 'event Stored(uint256 value)'] as const;

/** First topic of its event. */
export const STORED_TOPIC = id('Stored(uint256)');

/**
 * Code that tells its two functions apart by the length of the input alone:
 *
 *   00 CALLDATASIZE, 01 PUSH1 4, 03 LT, 04 PUSH1 0x12, 06 JUMPI   more than a selector: go to 12
 *   07 PUSH1 0, 09 SLOAD, 0a PUSH1 0, 0c MSTORE                   get: the word in slot 0 ...
 *   0d PUSH1 32, 0f PUSH1 0, 11 RETURN                            ... is the answer
 *   12 JUMPDEST, 13 PUSH1 4, 15 CALLDATALOAD, 16 DUP1             set: the argument ...
 *   17 PUSH1 0, 19 SSTORE, 1a PUSH1 0, 1c MSTORE                  ... goes to slot 0 and to memory ...
 *   1d PUSH32 topic, 3e PUSH1 32, 40 PUSH1 0, 42 LOG1, 43 STOP    ... and into a log
 */
const RUNTIME = concat(['0x36600410601257', '0x60005460005260206000f3', '0x5b60043580600055600052', '0x7f', STORED_TOPIC, '0x60206000a100']);

/** Init code: PUSH1 0x44, DUP1, PUSH1 0x0b, PUSH1 0, CODECOPY, PUSH1 0, RETURN, then the 0x44 bytes of code. */
export const STORE_INIT_CODE = concat(['0x604480600b6000396000f3', RUNTIME]) as `0x${string}`;
