export function targets() { return []; }
