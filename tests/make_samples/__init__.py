"""What writes the sample files, one module a family; the facts are those of an invented ferry cooperative."""
