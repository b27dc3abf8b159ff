"""Small ViT for images of any sensors, of 32 x 32 pixels in patches of 4."""

vit = dict(image_size=32, patch_size=4, channels=64, depth=3, num_heads=4, pooling="normed_mean")
