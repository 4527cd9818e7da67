"""What adoption changes in the files of the project itself, in the style of each."""
