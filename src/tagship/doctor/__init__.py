"""`tagship doctor`: checks settings that are in no file, and on which the safety of a release depends."""
