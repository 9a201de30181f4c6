"""What is true of given data and a given network: functions, distances, sectors, directions."""
