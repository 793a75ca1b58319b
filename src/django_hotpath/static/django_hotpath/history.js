// The history as it happens: asks for what is new, and puts it on top without moving what is read.
