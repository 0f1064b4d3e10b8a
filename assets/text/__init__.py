"""What buyers write, as labels: language, sentiment, reasons, phrases. Offline, on a CPU."""
