# The stack oz-liveness in eu-central-1, as AWS has it; written by deploy 0.1.0.
# `terraform init` and `terraform plan` show what is imported; `terraform apply` imports it into Terraform's state.
# From then on Terraform keeps the stack: let no `deploy up` change it besides.
# Network, image, certificate and hosted zone are named by their ids, and are not imported.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

import {
  to = aws_security_group.load_balancer_security_group
  id = "sg-ID"
}

resource "aws_security_group" "load_balancer_security_group" {
  name        = "alb-sg"
  description = "Oz Liveness: load balancer"
  vpc_id      = "vpc-ID"
  tags = {
    "Name"            = "alb-sg"
    "oz-deploy:stack" = "oz-liveness"
  }
  ingress {
    description      = "Allow HTTP traffic"
    protocol         = "tcp"
    from_port        = 80
    to_port          = 80
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  ingress {
    description      = "Allow HTTPS traffic"
    protocol         = "tcp"
    from_port        = 443
    to_port          = 443
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

import {
  to = aws_security_group.instance_security_group
  id = "sg-ID"
}

resource "aws_security_group" "instance_security_group" {
  name        = "app-sg"
  description = "Oz Liveness: instances"
  vpc_id      = "vpc-ID"
  tags = {
    "Name"            = "app-sg"
    "oz-deploy:stack" = "oz-liveness"
  }
  ingress {
    description     = "Allow traffic from ALB for request for analysis"
    protocol        = "tcp"
    from_port       = 80
    to_port         = 80
    security_groups = [aws_security_group.load_balancer_security_group.id]
  }
  ingress {
    description     = "Allow traffic from ALB for health checks"
    protocol        = "tcp"
    from_port       = 8501
    to_port         = 8501
    security_groups = [aws_security_group.load_balancer_security_group.id]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

import {
  to = aws_iam_policy.policy
  id = "arn:aws:iam::123456789012:policy/OZMarketplacePolicy"
}

resource "aws_iam_policy" "policy" {
  name = "OZMarketplacePolicy"
  path = "/"
  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect"   = "Allow"
        "Action"   = ["aws-marketplace:MeterUsage", "aws-marketplace:BatchMeterUsage", "aws-marketplace:GetEntitlements"]
        "Resource" = "*"
      },
    ]
  })
  tags = {
    "Name"            = "OZMarketplacePolicy"
    "oz-deploy:stack" = "oz-liveness"
  }
}

import {
  to = aws_iam_role.role
  id = "OZMarketplace"
}

resource "aws_iam_role" "role" {
  name                 = "OZMarketplace"
  path                 = "/"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Principal" = {
          "Service" = "ec2.amazonaws.com"
        }
        "Action" = "sts:AssumeRole"
      },
    ]
  })
  tags = {
    "Name"            = "OZMarketplace"
    "oz-deploy:stack" = "oz-liveness"
  }
}

import {
  to = aws_iam_role_policy_attachment.role_policy_attachment
  id = "OZMarketplace/arn:aws:iam::123456789012:policy/OZMarketplacePolicy"
}

resource "aws_iam_role_policy_attachment" "role_policy_attachment" {
  role       = aws_iam_role.role.name
  policy_arn = aws_iam_policy.policy.arn
}

import {
  to = aws_iam_instance_profile.instance_profile
  id = "OZMarketplace"
}

resource "aws_iam_instance_profile" "instance_profile" {
  name = "OZMarketplace"
  path = "/"
  role = aws_iam_role.role.name
  tags = {
    "Name"            = "OZMarketplace"
    "oz-deploy:stack" = "oz-liveness"
  }
}

import {
  to = aws_launch_template.launch_template
  id = "lt-ID"
}

resource "aws_launch_template" "launch_template" {
  name                   = "app-launch-template"
  default_version        = 1
  image_id               = "ami-ID"
  instance_type          = "c7i-flex.4xlarge"
  vpc_security_group_ids = [aws_security_group.instance_security_group.id]
  tags = {
    "Name"            = "app-launch-template"
    "oz-deploy:stack" = "oz-liveness"
  }
  iam_instance_profile {
    name = aws_iam_instance_profile.instance_profile.name
  }
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = 50
      iops                  = 12000
      throughput            = 500
      delete_on_termination = true
    }
  }
  tag_specifications {
    resource_type = "network-interface"
    tags = {
      "Name"            = "app-asg"
      "oz-deploy:stack" = "oz-liveness"
    }
  }
  tag_specifications {
    resource_type = "volume"
    tags = {
      "Name"            = "app-asg"
      "oz-deploy:stack" = "oz-liveness"
    }
  }
}

import {
  to = aws_lb_target_group.target_group
  id = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/app-tg/ID"
}

resource "aws_lb_target_group" "target_group" {
  name                              = "app-tg"
  vpc_id                            = "vpc-ID"
  target_type                       = "instance"
  protocol                          = "HTTP"
  protocol_version                  = "HTTP1"
  port                              = 80
  deregistration_delay              = 300
  slow_start                        = 0
  load_balancing_algorithm_type     = "least_outstanding_requests"
  load_balancing_anomaly_mitigation = "off"
  load_balancing_cross_zone_enabled = "use_load_balancer_configuration"
  tags = {
    "Name"            = "app-tg"
    "oz-deploy:stack" = "oz-liveness"
  }
  health_check {
    enabled             = true
    protocol            = "HTTP"
    port                = "8501"
    path                = "/"
    matcher             = "404"
    interval            = 30
    timeout             = 5
    healthy_threshold   = 5
    unhealthy_threshold = 2
  }
}

import {
  to = aws_lb.load_balancer
  id = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/app-alb/ID"
}

resource "aws_lb" "load_balancer" {
  name                                        = "app-alb"
  load_balancer_type                          = "application"
  internal                                    = true
  ip_address_type                             = "ipv4"
  subnets                                     = ["subnet-ID", "subnet-ID"]
  security_groups                             = [aws_security_group.load_balancer_security_group.id]
  enable_deletion_protection                  = false
  idle_timeout                                = 60
  client_keep_alive                           = 3600
  enable_http2                                = true
  desync_mitigation_mode                      = "defensive"
  drop_invalid_header_fields                  = false
  preserve_host_header                        = false
  enable_tls_version_and_cipher_suite_headers = false
  enable_xff_client_port                      = false
  xff_header_processing_mode                  = "append"
  enable_waf_fail_open                        = false
  tags = {
    "Name"            = "app-alb"
    "oz-deploy:stack" = "oz-liveness"
  }
}

import {
  to = aws_lb_listener.https_listener
  id = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/app-alb/ID/ID"
}

resource "aws_lb_listener" "https_listener" {
  load_balancer_arn = aws_lb.load_balancer.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = "arn:aws:acm:eu-central-1:123456789012:certificate/0f0f0f0f-1111-2222-3333-444444444444"
  tags = {
    "Name"            = "app-alb:443"
    "oz-deploy:stack" = "oz-liveness"
  }
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.target_group.arn
    forward {
      target_group {
        arn    = aws_lb_target_group.target_group.arn
        weight = 1
      }
    }
  }
}

import {
  to = aws_lb_listener.http_listener
  id = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/app-alb/ID/ID"
}

resource "aws_lb_listener" "http_listener" {
  load_balancer_arn = aws_lb.load_balancer.arn
  port              = 80
  protocol          = "HTTP"
  tags = {
    "Name"            = "app-alb:80"
    "oz-deploy:stack" = "oz-liveness"
  }
  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      host        = "#{host}"
      port        = "443"
      path        = "/#{path}"
      query       = "#{query}"
      status_code = "HTTP_301"
    }
  }
}

import {
  to = aws_route53_record.dns_record
  id = "Z0SANDBOX0EXAMPLE_app.example.com_A"
}

resource "aws_route53_record" "dns_record" {
  zone_id = "Z0SANDBOX0EXAMPLE"
  name    = "app.example.com"
  type    = "A"
  alias {
    evaluate_target_health = true
    name                   = aws_lb.load_balancer.dns_name
    zone_id                = aws_lb.load_balancer.zone_id
  }
}

import {
  to = aws_autoscaling_group.auto_scaling_group
  id = "app-asg"
}

resource "aws_autoscaling_group" "auto_scaling_group" {
  name                      = "app-asg"
  min_size                  = 2
  max_size                  = 91
  vpc_zone_identifier       = ["subnet-ID", "subnet-ID"]
  target_group_arns         = [aws_lb_target_group.target_group.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 300
  default_instance_warmup   = 120
  default_cooldown          = 300
  protect_from_scale_in     = false
  launch_template {
    id      = aws_launch_template.launch_template.id
    version = "1"
  }
  tag {
    key                 = "Name"
    value               = "app-asg"
    propagate_at_launch = true
  }
  tag {
    key                 = "oz-deploy:stack"
    value               = "oz-liveness"
    propagate_at_launch = true
  }
  # desired_capacity: scaling sets it
  # force_delete: Terraform alone has it, and an import leaves it out
  # force_delete_warm_pool: Terraform alone has it, and an import leaves it out
  # ignore_failed_scaling_activities: Terraform alone has it, and an import leaves it out
  # wait_for_capacity_timeout: Terraform alone has it, and an import leaves it out
  lifecycle {
    ignore_changes = [desired_capacity, force_delete, force_delete_warm_pool, ignore_failed_scaling_activities, wait_for_capacity_timeout]
  }
}

import {
  to = aws_autoscaling_policy.scaling_policy
  id = "app-asg/app-asg-cpu"
}

resource "aws_autoscaling_policy" "scaling_policy" {
  name                   = "app-asg-cpu"
  autoscaling_group_name = aws_autoscaling_group.auto_scaling_group.name
  policy_type            = "TargetTrackingScaling"
  enabled                = true
  target_tracking_configuration {
    target_value     = 30
    disable_scale_in = false
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}
