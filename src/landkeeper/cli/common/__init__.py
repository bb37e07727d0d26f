"""What every command has: options on how it speaks, where its answer goes, and which credentials it uses."""
