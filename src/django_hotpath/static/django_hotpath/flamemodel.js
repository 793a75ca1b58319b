// flamemodel
export function start() {}
