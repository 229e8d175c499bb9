/** What needs the state of a block, which nodes that are no archive keep for their newest blocks only. Transactions of old blocks are run again for their traces. */
const STATE =
  /^(?:eth_(?:call|callMany|callBundle|estimateGas|createAccessList|simulateV1|getBalance|getCode|getStorageAt|getStorageValues|getTransactionCount|getProof|getAccount|getAccountInfo)|debug_(?:trace|storageRange|account|dump|intermediateRoots)[A-Za-z]*|trace_[A-Za-z]+)$/;

/** Whether a method reads the state of a block. */
export const readsState = (method: string): boolean => STATE.test(method);
