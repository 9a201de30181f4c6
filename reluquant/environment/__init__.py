"""What surrounds the library: installed versions, and the notebook server."""
