"""The hand on the canvas: layers, pictures of the mesh, the mouse."""
