"""COCO's keypoint files of hands, and COCO-WholeBody."""
