package main

// main blocks, so that the exports can be called: wasm_exec.js ends the instance when main returns.
func main() { select {} }
