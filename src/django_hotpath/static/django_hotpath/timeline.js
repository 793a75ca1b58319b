// timeline
export function start() {}
