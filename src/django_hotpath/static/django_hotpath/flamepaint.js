// flamepaint
export function start() {}
