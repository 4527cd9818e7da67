"""`tagship doctor`: the settings that no file holds, and on which the safety of a release depends."""
