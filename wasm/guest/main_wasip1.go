package main

// main is never called: a reactor is initialised, and used by its exports.
func main() {}
