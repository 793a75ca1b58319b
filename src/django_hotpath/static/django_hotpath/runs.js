// runs
export function start() {}
