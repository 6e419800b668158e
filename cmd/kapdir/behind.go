//go:build !linux

package main

// standBack is for Linux alone.
func standBack() {}
