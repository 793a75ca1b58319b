// flame
export function start() {}
